"""What is wrong as alerts at files and lines, for code scanning (SARIF) and as annotations of GitHub."""
