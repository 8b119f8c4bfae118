"""Names of the user properties in which items put their counts; pytest-xdist brings them from its workers."""

REQUESTS = "harness_requests"
INTERACTIONS = "harness_interactions"
EVENTS = "harness_events"
