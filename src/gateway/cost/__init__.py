"""What an operation costs before and after it runs, and each tenant's budget that it is paid from."""
