"""Machines and disks that a service of Google's makes in the project, and sets up by its own settings.

https://cloud.google.com/kubernetes-engine/docs/how-to/creating-managing-labels
https://cloud.google.com/dataproc/docs/guides/creating-managing-labels
"""

from __future__ import annotations

from collector.sdk import Resource, Verdict, not_applicable

SERVICES = {
    "goog-gke-node": "GKE, whose node pool sets it",
    "goog-dataproc-cluster-name": "Dataproc, whose cluster sets it",
    "goog-composer-environment": "Cloud Composer, whose environment sets it",
}
"""The label that a service puts on what it makes."""

GKE_KEY = "kube-env"
"""The key in the metadata of every node, those made before the label too."""

APP_ENGINE_TAG = "aef-"
"""How the network tag of every machine of App Engine's flexible environment begins.

https://cloud.google.com/appengine/docs/flexible/reference/app-yaml
"""


def by_service(item: Resource) -> Verdict | None:
    """The verdict on a machine or disk that a service made, and that nobody can set up by itself."""
    labels = item.get("labels") or {}
    for label, service in SERVICES.items():
        if label in labels:
            return not_applicable(f"made by {service}")
    if GKE_KEY in (item.get("metadata") or {}):
        return not_applicable(f"made by {SERVICES['goog-gke-node']}")
    tags = (item.get("tags") or {}).get("items") or ()
    if any(tag.startswith(APP_ENGINE_TAG) for tag in tags):
        return not_applicable("made by App Engine, which sets it")
    return None
