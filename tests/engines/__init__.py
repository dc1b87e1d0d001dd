"""Tests in each real engine that is installed: nothing in them is particular to one."""
