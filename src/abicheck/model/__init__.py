"""The values of the vocabulary: facts, hosts, link maps, findings, verdicts."""
