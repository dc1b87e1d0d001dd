"""Conversions from a CSV file, such as an export of a shop or a CRM: lines in, stored conversions out."""
