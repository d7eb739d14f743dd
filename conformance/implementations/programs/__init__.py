"""Programs under test, in any language: the process, and the protocol that it speaks."""
