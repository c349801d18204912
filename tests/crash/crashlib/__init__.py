"""What tests/crash/explore is made of: recording, the model of a disk, its crash states, and who judges them."""
