"""Which project an address speaks of: `http://<project>.<domain>/` is the project's page."""


def project_of_host(host: str, domain: str) -> str | None:
    """The label before the domain in a Host header, or None for the portal itself; the port is ignored."""
    name = host.strip().lower().partition(":")[0].rstrip(".")
    suffix = "." + domain.strip().lower().strip(".")
    if suffix == "." or not name.endswith(suffix):
        return None
    return name.removesuffix(suffix) or None
