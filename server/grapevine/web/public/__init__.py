"""Routes that need no key: the collect API, short links, QR codes, share counts, the widget, /about."""
