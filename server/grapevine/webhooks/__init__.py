"""Webhooks after the *Standard Webhooks* specification, version 1.0.0 (https://www.standardwebhooks.com).

``message`` says what is sent and signs it, ``addresses`` where it may go, ``schedule`` when it is tried again,
``sending`` does it, ``endpoints`` is what owners manage.
"""
