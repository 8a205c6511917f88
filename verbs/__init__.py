"""What `invoke` and `./run` offer: each verb a few lines over the stack manager; tasks.py gives them their names."""
