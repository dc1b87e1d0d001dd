"""The server's configuration: settings, secret keys, logging."""
