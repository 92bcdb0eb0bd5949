"""Amazon SageMaker AI: notebooks, Studio domains, endpoints and training jobs, and their tests.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Service.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)


@evidence(calls=["sagemaker:DescribeNotebookInstance", "sagemaker:ListNotebookInstances"], per="region")
def notebooks(aws: Any) -> Iterator[Resource]:
    """Every notebook instance with its network, its key and what its people may do on it."""
    client = aws.client("sagemaker")
    kept = (
        "DirectInternetAccess",
        "InstanceMetadataServiceConfiguration",
        "KmsKeyId",
        "PlatformIdentifier",
        "RoleArn",
        "RootAccess",
        "SecurityGroups",
        "SubnetId",
    )
    for one in aws.pages(client.list_notebook_instances, "NotebookInstances"):
        name = one["NotebookInstanceName"]
        yield resource(
            one["NotebookInstanceArn"],
            name=name,
            config={
                "Name": name,
                "Settings": _kept(
                    aws.get(client.describe_notebook_instance, NotebookInstanceName=name), kept
                ),
            },
        )


@evidence(calls=["sagemaker:DescribeDomain", "sagemaker:ListDomains"], per="region")
def domains(aws: Any) -> Iterator[Resource]:
    """Every domain of SageMaker Studio with its network, its key and how people sign in."""
    client = aws.client("sagemaker")
    kept = ("AppNetworkAccessType", "AuthMode", "KmsKeyId", "SubnetIds", "VpcId")
    for one in aws.pages(client.list_domains, "Domains"):
        yield resource(
            one["DomainArn"],
            name=one["DomainName"],
            config={
                "DomainName": one["DomainName"],
                "Settings": _kept(aws.get(client.describe_domain, DomainId=one["DomainId"]), kept),
            },
        )


@evidence(
    calls=[
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:ListEndpoints",
    ],
    per="region",
)
def endpoints(aws: Any) -> Iterator[Resource]:
    """Every endpoint with the configuration it runs on and the networks of its models.

    Models that no endpoint serves are not read: most accounts keep thousands of them.
    """
    client = aws.client("sagemaker")
    for one in aws.pages(client.list_endpoints, "Endpoints"):
        name = one["EndpointName"]
        config = aws.get(client.describe_endpoint, "EndpointConfigName", EndpointName=name)
        if not isinstance(config, NotCollected):
            config = aws.get(client.describe_endpoint_config, EndpointConfigName=config)
        yield resource(
            one["EndpointArn"],
            name=name,
            config={
                "EndpointName": name,
                "Variants": _variants(config),
                "Network": config if isinstance(config, NotCollected) else _network(config),
                "Models": _models(aws, config),
            },
        )


def _kept(answer: Any, fields: tuple[str, ...]) -> Any:
    if isinstance(answer, NotCollected):
        return answer
    return {key: answer[key] for key in fields if key in answer}


def _network(settings: Any) -> str:
    """`vpc`, `isolated`, or empty where it has the network that SageMaker gives it."""
    if settings.get("EnableNetworkIsolation"):
        return "isolated"
    return "vpc" if settings.get("VpcConfig") else ""


def _variants(config: Any) -> Any:
    if isinstance(config, NotCollected):
        return config
    kept = ("VariantName", "ModelName", "InitialInstanceCount", "ManagedInstanceScaling", "ServerlessConfig")
    return [_kept(one, kept) for one in config["ProductionVariants"]]


def _models(aws: Any, config: Any) -> Any:
    """The network of each model that the endpoint serves, by its name."""
    if isinstance(config, NotCollected):
        return config
    names = sorted({one["ModelName"] for one in config["ProductionVariants"] if one.get("ModelName")})
    describe = aws.client("sagemaker").describe_model
    models = {name: aws.get(describe, ModelName=name) for name in names}
    return {
        name: model if isinstance(model, NotCollected) else _network(model) for name, model in models.items()
    }


@evidence(calls=["sagemaker:DescribeTrainingJob", "sagemaker:ListTrainingJobs"], per="region")
def training_jobs(aws: Any) -> Iterator[Resource]:
    """Every training job that runs while the evidence is read. What is over can no longer be changed."""
    client = aws.client("sagemaker")
    for one in aws.pages(client.list_training_jobs, "TrainingJobSummaries", StatusEquals="InProgress"):
        name = one["TrainingJobName"]
        job = aws.get(client.describe_training_job, TrainingJobName=name)
        if isinstance(job, dict):
            resources = job.get("ResourceConfig") or {}
            groups = resources.get("InstanceGroups") or [resources]
            job = {
                "Network": _network(job),
                "Instances": sum(group.get("InstanceCount", 0) for group in groups),
                "EncryptsTraffic": job.get("EnableInterContainerTrafficEncryption", False),
                "VolumeKey": resources.get("VolumeKmsKeyId"),
                "OutputKey": (job.get("OutputDataConfig") or {}).get("KmsKeyId"),
            }
        yield resource(one["TrainingJobArn"], name=name, config={"Name": name, "Job": job})


@check(notebooks, severity="high")
def notebook_has_no_direct_internet_access(notebook: Resource) -> Verdict:
    """SageMaker notebook reaches the internet through your network only

    Risk: data can be taken out, and code brought in, past your firewall and its logs.
    Fix: make the notebook anew in a subnet: aws sagemaker create-notebook-instance --subnet-id SUBNET
        --security-group-ids GROUP --direct-internet-access Disabled ...
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
    Verified: 2026-11-25
    """
    settings = notebook["Settings"]
    subnet = f"in {settings['SubnetId']}" if settings.get("SubnetId") else "in no VPC"
    access = settings.get("DirectInternetAccess", "Enabled")  # the default
    stated = f"direct internet access {access}, {subnet}"
    return (ok if access == "Disabled" and settings.get("SubnetId") else fail)(stated)


@check(notebooks, severity="low")
def notebook_uses_own_key(notebook: Resource) -> Verdict:
    """SageMaker notebook's volume is encrypted with a KMS key of your own

    Without one it is encrypted with a key of AWS.

    Risk: who can read the data sets and code on it rests on SageMaker's permissions alone.
    Fix: make the notebook anew: aws sagemaker create-notebook-instance --kms-key-id KEY ...
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
    Verified: 2026-11-25
    """
    key = notebook["Settings"].get("KmsKeyId")
    return ok(f"KMS key {key}") if key else fail("no key of your own")


@check(notebooks, severity="medium")
def notebook_gives_no_root(notebook: Resource) -> Verdict:
    """SageMaker notebook gives its people no root rights

    Risk: they can change or switch off whatever was set up to guard the instance, and reach its role's keys.
    Fix: stop the notebook, then aws sagemaker update-notebook-instance --notebook-instance-name {name}
        --root-access Disabled
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-root-access.html
    Verified: 2026-11-25
    """
    access = notebook["Settings"].get("RootAccess", "Enabled")  # the default
    return (ok if access == "Disabled" else fail)(f"root access {access}")


@check(domains, severity="medium")
def domain_stays_in_vpc(domain: Resource) -> Verdict:
    """SageMaker Studio domain reaches the internet through your network only

    Risk: data can be taken out, and code brought in, past your firewall and its logs.
    Fix: aws sagemaker update-domain --domain-id ID --app-network-access-type VpcOnly
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeDomain.html
    Verified: 2026-11-25
    """
    kind = domain["Settings"].get("AppNetworkAccessType", "PublicInternetOnly")  # the default
    return (ok if kind == "VpcOnly" else fail)(f"network access {kind}")


@check(endpoints, severity="medium")
def endpoint_has_second_instance(endpoint: Resource) -> Verdict:
    """SageMaker endpoint runs every variant on two instances or more

    SageMaker spreads the instances over availability zones. What scaling made of the number since is not
    seen.

    Risk: when the instance or its zone fails, the endpoint answers nobody until another has started.
    Fix: aws sagemaker create-endpoint-config ... with InitialInstanceCount=2, then aws sagemaker
        update-endpoint --endpoint-name {name} --endpoint-config-name NEW
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
    Verified: 2026-11-25
    """
    counts = {
        one["VariantName"]: _least(one) for one in endpoint["Variants"] if not one.get("ServerlessConfig")
    }
    if not counts:
        return not_applicable("serverless: SageMaker decides on the instances")
    single = [f"{name} on {count}" for name, count in sorted(counts.items()) if count < 2]
    if single:
        return fail(f"too few instances: {', '.join(single)}")
    return ok(f"{min(counts.values())} instances or more for every variant")


def _least(variant: Any) -> int:
    scaling = variant.get("ManagedInstanceScaling") or {}
    if scaling.get("Status") == "ENABLED":
        return int(scaling.get("MinInstanceCount", 0))
    return int(variant.get("InitialInstanceCount", 0))


@check(endpoints, severity="medium")
def endpoint_models_stay_in_vpc(endpoint: Resource) -> Verdict:
    """Models behind the SageMaker endpoint run in your VPC or without a network

    Risk: a model or library that was tampered with sends what it is asked, and its data, to the internet.
    Fix: aws sagemaker create-model --vpc-config Subnets=SUBNET,SecurityGroupIds=GROUP ..., and update the
        endpoint to it
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModel.html
    Verified: 2026-11-25
    """
    if endpoint["Network"]:
        return ok(f"the endpoint's own network: {endpoint['Network']}")
    if not endpoint["Models"]:
        return fail("the endpoint names neither a VPC nor a model of its own")
    free = sorted(name for name, network in endpoint["Models"].items() if not network)
    return fail(f"outside any VPC: {', '.join(free)}") if free else ok("every model in a VPC or isolated")


@check(training_jobs, severity="medium")
def training_encrypts_data(job: Resource) -> Verdict:
    """SageMaker training job uses keys of your own and encrypts what its instances tell each other

    Traffic between instances only counts where there is more than one.

    Risk: training data and the model cross the network readable, and lie under keys that are not yours.
    Fix: start jobs with VolumeKmsKeyId, OutputDataConfig.KmsKeyId and
        EnableInterContainerTrafficEncryption=true: aws sagemaker create-training-job ...
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
    Verified: 2026-11-25
    """
    settings = job["Job"]
    faults = [
        *([] if settings["VolumeKey"] else ["no key of your own for volumes"]),
        *([] if settings["OutputKey"] else ["no key of your own for the output"]),
    ]
    if settings["Instances"] > 1 and not settings["EncryptsTraffic"]:
        faults.append(f"traffic between {settings['Instances']} instances not encrypted")
    return fail(", ".join(faults)) if faults else ok("own keys for volumes and output, no readable traffic")


@check(training_jobs, severity="medium")
def training_stays_in_vpc(job: Resource) -> Verdict:
    """SageMaker training job runs in your VPC or without a network

    Risk: a library that was tampered with sends the training data to the internet.
    Fix: start jobs with VpcConfig or EnableNetworkIsolation=true: aws sagemaker create-training-job ...
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
    Verified: 2026-11-25
    """
    network = job["Job"]["Network"]
    return ok(f"network: {network}") if network else fail("in no VPC, and not isolated")
