"""The Testing tools screen."""
