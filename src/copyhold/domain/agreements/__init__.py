"""Agreements: terms of use and purposes, contracts and their signatures, routes over borders."""
