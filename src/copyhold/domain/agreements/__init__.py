"""Agreements: contracts and their signatures, routes over borders, and the documents that law asks for."""
