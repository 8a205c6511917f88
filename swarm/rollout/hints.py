"""What people have found behind the errors that tasks end with."""

HINTS = (
    ("scheduling constraints not satisfied", "No node has the labels it asks for: ./run swarm.status shows them."),
    ("insufficient resources", "The nodes have too little left for its reservation: give it less, or add a node."),
    ("max replicas per node", "More replicas than nodes may hold: raise max_replicas_per_node, or add a node."),
    ("host-mode port already in use", "Another task holds the port on every node that it may run on."),
    ("No such image", "Is the image in the registry? ./run deliver STACK builds and pushes what is ours."),
    ("manifest unknown", "Is the image in the registry? ./run deliver STACK builds and pushes what is ours."),
    ("pull access denied", "Is the image's name right, and is the registry one that needs a sign-in?"),
    ("connection refused", "Something that it needs does not listen: ./run status shows what is not healthy."),
    ("host not found", "Services are reached by their full name, e.g. admin_portal, on a network that both share."),
    ("could not translate host name", "Services are reached by their full name on a network that both share."),
    ("Name or service not known", "Services are reached by their full name on a network that both share."),
    ("bind source path does not exist", "The directory must exist on every node that the task may run on."),
    ("unhealthy container", "The health check above says what it found."),
    ("non-zero exit (137)", "It was killed, most often at its memory limit: sizes in env.yaml raises it."),
)


def hint(*texts: str) -> str:
    """The first hint whose words occur in what was said, or nothing."""
    said = "\n".join(texts)
    return next((advice for words, advice in HINTS if words in said), "")
