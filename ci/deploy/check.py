"""Reads what ci/deploy has as strictly as it can be read without a cluster. Usage: check.py AERUGO, the program.

That no key stands twice; that Kubernetes's own schema takes each manifest and nothing is in it that the schema does not know; that
what refers to something by name or label finds it; that ports and probes are those of the program; that each setting is one that
there is, and that `aerugo config` takes all of a container's, as they are, at once.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

HERE = pathlib.Path(__file__).parent
VERSIONS = ("1.30", "1.37")  # the oldest that is asked for, and the newest that is known
ELSEWHERE = {("Secret", "aerugo-tls")}  # made by who makes certificates
PROBES = {"startupProbe": {"/healthz"}, "livenessProbe": {"/healthz"}, "readinessProbe": {"/readyz"}}
PORT = 5000

problems = []


def expect(condition, problem):
    if not condition:
        problems.append(problem)


class StrictLoader(yaml.SafeLoader):
    """The safe one, which takes a key that stands twice for an error; a merge (<<) is no key."""

    def construct_mapping(self, node, deep=False):
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.append(f"{node.start_mark.name}:{node.start_mark.line + 1}: {name} stands twice")
        return super().construct_mapping(node, deep)


def load(path):
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.load_all(file, StrictLoader) if document is not None]


# ------------------------------------------------------------------------------------------------------------- settings


class Program:
    def __init__(self, path):
        self.path = path
        text = subprocess.run([path, "config", "--explain"], capture_output=True, text=True, check=True).stdout
        self.settings = dict((variable, key) for key, variable in re.findall(r"^(\S+) \((AERUGO_\w+)\): ", text, re.M))

    def check(self, where, environment, mounted):
        """That all of it is settings, that files which they name are mounted, and that the program takes their values."""
        ours = {name: value for name, value in environment.items() if name.startswith("AERUGO_")}
        for name, value in ours.items():
            expect(name in self.settings or name == "AERUGO_CONFIG", f"{where}: there is no setting {name}")
            expect(isinstance(value, str), f"{where}: {name} is {value!r}, no text")
        with tempfile.TemporaryDirectory() as folder:
            for name, value in ours.items():
                if name.endswith("_FILE"):
                    expect(value in mounted, f"{where}: {name} names {value}, which is mounted by nobody")
                    ours[name] = f"{folder}/{name}"
                    pathlib.Path(ours[name]).write_text("a secret that is long enough\n", encoding="utf-8")
                if name == "AERUGO_CONFIG":
                    ours[name] = f"{folder}/{name}"
                    pathlib.Path(ours[name]).touch()
            own = {name: value for name, value in os.environ.items() if not name.startswith("AERUGO_")}
            answer = subprocess.run(
                [self.path, "config"], capture_output=True, text=True, check=False,
                env={**own, **{name: str(value) for name, value in ours.items()}})
        expect(answer.returncode == 0, f"{where}: aerugo config: {answer.stderr.strip()}")


# ----------------------------------------------------------------------------------------------------------- Kubernetes


def kubernetes(program):
    folder = HERE / "kubernetes"
    [kustomization] = load(folder / "kustomization.yaml")
    expect(kustomization["kind"] == "Kustomization", "kustomization.yaml is none")
    expect(
        sorted(kustomization["resources"]) == sorted(p.name for p in folder.iterdir() if p.name != "kustomization.yaml"),
        "kustomization.yaml does not have each file")
    objects = {}
    for name in kustomization["resources"]:
        for document in load(folder / name):
            for version in VERSIONS:
                try:
                    kubernetes_validate.validate(document, version, strict=True)
                except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
                    problems.append(f"{name}: Kubernetes {version}: {error}")
            key = (document["kind"], document["metadata"]["name"])
            expect(key not in objects, f"{name}: there are two {key}")
            expect("namespace" not in document["metadata"], f"{name}: the namespace is kustomization.yaml's")
            objects[key] = document
    expect(("Namespace", kustomization["namespace"]) in objects, "the namespace is made by nobody")

    def find(where, kind, name):
        expect((kind, name) in objects or (kind, name) in ELSEWHERE, f"{where}: there is no {kind} {name}")
        return objects.get((kind, name), {})

    deployment = objects["Deployment", "aerugo"]
    template = deployment["spec"]["template"]
    labels, pod = template["metadata"]["labels"], template["spec"]
    [container] = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    expect(ports["http"] == PORT, "deployment.yaml: the port is not the image's")
    expect(container["image"] in [image["name"] for image in kustomization["images"]], "the image is nobody's")
    expect(pod["enableServiceLinks"] is False, "deployment.yaml: variables of services would be unknown settings")
    expect("replicas" not in deployment["spec"], "deployment.yaml: how many is what the autoscaler says")
    find("deployment.yaml", "ServiceAccount", pod["serviceAccountName"])

    for probe, paths in PROBES.items():
        get = container[probe]["httpGet"]
        expect(get["path"] in paths, f"deployment.yaml: {probe} asks {get['path']}")
        expect(get["port"] == "http", f"deployment.yaml: {probe} asks port {get['port']}")

    selectors = [
        ("deployment.yaml", deployment["spec"]["selector"]["matchLabels"]),
        *(("deployment.yaml", spread["labelSelector"]["matchLabels"]) for spread in pod["topologySpreadConstraints"]),
        ("poddisruptionbudget.yaml", objects["PodDisruptionBudget", "aerugo"]["spec"]["selector"]["matchLabels"]),
        ("service.yaml", objects["Service", "aerugo"]["spec"]["selector"])]
    for where, selector in selectors:
        expect(selector and selector.items() <= labels.items(), f"{where}: the selector {selector} finds no pod")

    served = {}
    for port in objects["Service", "aerugo"]["spec"]["ports"]:
        expect(port["targetPort"] in ports, f"service.yaml: there is no port {port['targetPort']}")
        served[port["name"]] = port["port"]
    ingress = objects["Ingress", "aerugo"]["spec"]
    hosts = [rule["host"] for rule in ingress["rules"]]
    for rule in ingress["rules"]:
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            find("ingress.yaml", "Service", service["name"])
            expect(service["port"]["name"] == "http", f"ingress.yaml: {service['port']} is not for clients")
    for item in ingress["tls"]:
        find("ingress.yaml", "Secret", item["secretName"])
        expect(item["hosts"] == hosts, "ingress.yaml: a host has no certificate")

    scaler = objects["HorizontalPodAutoscaler", "aerugo"]["spec"]
    target = scaler["scaleTargetRef"]
    expect(target["apiVersion"] == deployment["apiVersion"], "horizontalpodautoscaler.yaml: another apiVersion")
    find("horizontalpodautoscaler.yaml", target["kind"], target["name"])
    expect(scaler["minReplicas"] >= 2, "horizontalpodautoscaler.yaml: one pod is none while it is moved")

    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    expect(volumes.keys() == mounts.keys(), "deployment.yaml: volumes and their mounts differ")
    mounted = set()
    for name, volume in volumes.items():
        if "secret" in volume:
            secret = find("deployment.yaml", "Secret", volume["secret"]["secretName"])
            mounted |= {f"{mounts[name]}/{key}" for key in secret.get("stringData", {})}
    for value in objects["Secret", "aerugo"]["stringData"].values():
        expect(value == "REPLACE-ME", "secret.yaml: that is no placeholder")
    environment = {}
    for source in container["envFrom"]:
        environment.update(find("deployment.yaml", "ConfigMap", source["configMapRef"]["name"])["data"])
    for variable in container["env"]:
        expect(variable["name"] not in environment, f"deployment.yaml: {variable['name']} is in the ConfigMap too")
        environment[variable["name"]] = variable["value"]
    environment["AERUGO_LISTEN"] = f"0.0.0.0:{PORT}"  # of the image
    expect(environment["AERUGO_HTTP_URL"] in [f"https://{host}" for host in hosts], "configmap.yaml: http.url is no host of ingress.yaml")
    expect(
        environment["AERUGO_METRICS_LISTEN"].endswith(f":{ports['metrics']}") and "metrics" in served,
        "configmap.yaml: metrics.listen has another port")
    most = scaler["maxReplicas"] * int(environment["AERUGO_DATABASE_CONNECTIONS"])
    expect(most <= 97, f"{most} connections are more than PostgreSQL has without more words (100, 3 of them reserved)")
    expect(
        any(environment["AERUGO_DATA"].startswith(f"{mounts[name]}/") for name in mounts if "emptyDir" in volumes[name]),
        "deployment.yaml: data is in no volume")
    program.check("kubernetes", environment, mounted)
    own, pause = 25, container["lifecycle"]["preStop"]["sleep"]["seconds"]
    expect(pod["terminationGracePeriodSeconds"] >= own + pause + 10, "deployment.yaml: the end comes before requests have ended")
    return len(objects)


# ------------------------------------------------------------------------------------------------- compose, image, unit


def compose(program):
    [document] = load(HERE / "compose.yaml")
    services = document["services"]
    nodes = []
    for name, service in services.items():
        where = f"compose.yaml: {name}"
        for kind in ("secrets", "networks"):
            for item in service.get(kind, []):
                expect(item in document[kind], f"{where}: {kind} has no {item}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (HERE / source).exists() if source.startswith(".") else source in document["volumes"]
            expect(there, f"{where}: there is no {source}")
        for other, condition in service.get("depends_on", {}).items():
            expect(set(service["profiles"]) <= set(services[other]["profiles"]), f"{where}: {other} is in another profile")
            if condition["condition"] == "service_healthy":
                healthy = "healthcheck" in services[other] or other in nodes
                expect(healthy, f"{where}: nobody knows whether {other} is healthy")
        mounted = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
        environment = service.get("environment", {})
        for variable, value in environment.items():
            if variable.endswith("_FILE"):
                expect(value in mounted, f"{where}: {variable} names {value}, which is no secret of it")
        if "AERUGO_IMAGE" in service["image"]:
            nodes.append(name)
            environment = {variable: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for variable, value in environment.items()}
            program.check(where, {**environment, "AERUGO_LISTEN": f"0.0.0.0:{PORT}"}, mounted)
            expect(service["read_only"] and service["cap_drop"] == ["ALL"], f"{where}: it may more than it has to")
    for secret in document["secrets"].values():
        expect(secret["file"].startswith("./secrets.d/"), f"compose.yaml: {secret['file']} is in another folder")
    proxy = (HERE / "nginx.conf").read_text(encoding="utf-8")
    upstream = re.findall(r"^ *server (\w+):(\d+) ", proxy, re.M)
    expect(
        sorted(upstream) == sorted((name, str(PORT)) for name in nodes if "three" in services[name]["profiles"]),
        "nginx.conf: other nodes than compose.yaml has")
    for name in re.findall(r"/run/secrets/([\w-]+)", proxy):
        expect(name in services["nginx"]["secrets"], f"nginx.conf: {name} is no secret of it")
    address = services["nginx"]["networks"]["inside"]["ipv4_address"]
    for name in nodes:
        trusted = services[name]["environment"].get("AERUGO_HTTP_TRUSTED_PROXIES", address)
        expect(trusted == address, f"compose.yaml: {name} trusts another than nginx")
    [listened] = re.findall(r"^ *listen (\d+) ssl;", proxy, re.M)
    expect(services["nginx"]["ports"][0].endswith(f":{listened}"), "nginx.conf: listens where compose.yaml publishes nothing")
    return len(services)


def image(program):
    text = re.sub(r"\\\n", " ", (HERE / "Dockerfile").read_text(encoding="utf-8"))
    [line] = re.findall(r"^ENV (.*)$", text, re.M)
    environment = dict(item.split("=", 1) for item in line.split())
    expect(environment["AERUGO_LISTEN"].endswith(f":{PORT}"), "Dockerfile: another port")
    expect(re.search(rf"^EXPOSE {PORT}$", text, re.M), "Dockerfile: another port is told")
    [user] = re.findall(r"^USER (\d+):\d+$", text, re.M)
    [deployment] = load(HERE / "kubernetes" / "deployment.yaml")
    expect(
        int(user) == deployment["spec"]["template"]["spec"]["securityContext"]["runAsUser"], "Dockerfile: another user than Kubernetes's")
    expect(f"uid={user}," in (HERE / "compose.yaml").read_text(encoding="utf-8"), "Dockerfile: another user than compose.yaml's")
    expect(f"{user}:{user}" in (HERE / "collect").read_text(encoding="utf-8"), "Dockerfile: another user than collect makes")
    program.check("Dockerfile", environment, set())


def unit(program):
    text = (HERE / "aerugo.service").read_text(encoding="utf-8")
    program.check("aerugo.service", dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.M)), set())
    # The file of the settings, and the same with those lines of it that are comments.
    text = (HERE / "aerugo.yaml").read_text(encoding="utf-8")
    for content in text, re.sub(r"^# ((?:  )?[\w-]+:(?: \S+)?)$", r"\1", text, flags=re.M):
        with tempfile.TemporaryDirectory() as folder:
            secret, file = pathlib.Path(folder, "secret"), pathlib.Path(folder, "aerugo.yaml")
            secret.write_text("a secret that is long enough\n", encoding="utf-8")
            file.write_text(re.sub(r"(-file: )/etc/aerugo/\S+", rf"\1{secret}", content), encoding="utf-8")
            load(file)
            answer = subprocess.run([program.path, "config", "--config", file], capture_output=True, text=True, check=False)
        expect(answer.returncode == 0, f"aerugo.yaml: aerugo config: {answer.stderr.strip()}")


def main():
    program = Program(sys.argv[1])
    counts = kubernetes(program), compose(program)
    image(program)
    unit(program)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"{counts[0]} manifests of Kubernetes ({' and '.join(VERSIONS)}), {counts[1]} services, the image and the unit: nothing to say")


main()
