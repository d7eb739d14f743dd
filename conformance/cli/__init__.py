"""The command line: ``lstm-conformance`` and its subcommands."""
