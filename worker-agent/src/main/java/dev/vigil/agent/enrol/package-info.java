/// The worker's identity: key pair, certificate, renewal.
@NullMarked
package dev.vigil.agent.enrol;

import org.jspecify.annotations.NullMarked;
