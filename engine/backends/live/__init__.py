"""The back end on durable_rules: single orders judged by a Rete network beside the reference."""
