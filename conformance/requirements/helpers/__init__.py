"""What the bodies of several requirements share."""
