"""What people have found behind the errors that tasks end with."""

HINTS = (
    ("scheduling constraints not satisfied", "No node has the required labels; ./run swarm.status shows them."),
    ("insufficient resources", "No node has enough free resources: lower its reservation, or add a node."),
    ("max replicas per node", "Too many replicas for the nodes: raise max_replicas_per_node, or add a node."),
    ("host-mode port already in use", "Another task uses the port on every eligible node."),
    ("No such image", "Is the image in the registry? ./run deliver STACK builds and pushes our images."),
    ("manifest unknown", "Is the image in the registry? ./run deliver STACK builds and pushes our images."),
    ("pull access denied", "Is the image name correct? Does the registry require a login?"),
    ("connection refused", "A service it depends on is not listening; ./run status shows unhealthy services."),
    ("host not found", "Services are reached by their full name, e.g. admin_portal, on a network that both share."),
    ("could not translate host name", "Services are reached by their full name on a network that both share."),
    ("Name or service not known", "Services are reached by their full name on a network that both share."),
    ("bind source path does not exist", "The directory must exist on every eligible node."),
    ("unhealthy container", "See the output of the health check above."),
    ("non-zero exit (137)", "It was killed, usually at its memory limit; raise it with sizes in env.yaml."),
)


def hint(*texts: str) -> str:
    """The first hint whose words occur in what was said, or nothing."""
    said = "\n".join(texts)
    return next((advice for words, advice in HINTS if words in said), "")
