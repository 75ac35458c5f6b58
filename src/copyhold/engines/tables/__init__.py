"""Tables in and out of files, their dictionary and their arithmetic ties."""
