"""The dashboard: server-rendered pages for people, signed in with an API key. Every page works without a script."""
