"""What all lists share: pages, kept views, filters in addresses, and files."""
