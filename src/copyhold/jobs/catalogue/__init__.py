"""Make versions of datasets, and keep what finds their rows again and proves their cells."""
