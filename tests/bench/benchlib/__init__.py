"""What tests/bench/run is made of: the host, the servers, the rounds, the scenarios, the report."""
