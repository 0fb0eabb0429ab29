"""One vendor a folder: pure of our world, each gets a decrypted config and returns values."""
