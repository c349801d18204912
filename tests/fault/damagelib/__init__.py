"""Single faults in the bytes and files of a root, and what a load makes of them."""
