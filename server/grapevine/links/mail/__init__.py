"""Mails: the links to the site are tagged, and no other character is changed (decision 74)."""
