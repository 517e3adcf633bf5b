"""The report as SARIF 2.1.0, for code scanning: a run of one tool, its rules, and what they found."""
