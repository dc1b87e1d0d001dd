"""What the server is configured with: settings, secret keys, logging."""
