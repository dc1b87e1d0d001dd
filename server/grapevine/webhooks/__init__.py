"""Webhooks after the *Standard Webhooks* specification, version 1.0.0 (https://www.standardwebhooks.com).

``signing`` makes and signs payloads, ``retry_schedule`` holds the delays between attempts, ``delivery`` sends,
``endpoints`` is what an owner manages; which addresses may be reached is the package ``egress``'s.
"""
