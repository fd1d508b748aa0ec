package dev.vigil.platform;

import static org.assertj.core.api.Assertions.fail;

import org.junit.jupiter.api.Assumptions;
import org.testcontainers.DockerClientFactory;

/// Whether containers can be tested here. Where an engine answers they are: an image that cannot be had is a failure
/// then. Without an engine the test is reported as skipped, unless whoever started the tests said that there is one.
final class DockerEngine {
    /// Set to `required` by `.ci/run` once an engine answers.
    private static final String SAID = "VIGIL_DOCKER";

    private DockerEngine() {}

    /// Goes on where an engine answers.
    static void needed() {
        if (DockerClientFactory.instance().isDockerAvailable()) {
            return;
        }
        if ("required".equals(System.getenv(SAID))) {
            fail(SAID + "=required, but no Docker engine answers at DOCKER_HOST=" + System.getenv("DOCKER_HOST")
                    + "; start it, or unset " + SAID + " to skip what needs one");
        }
        Assumptions.abort("no Docker engine answers; start one, or see e2e/docker/standins.sh");
    }
}
