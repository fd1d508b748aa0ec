/// The certificate of a worker or a service: enrolment, renewal, TLS contexts, who the peer is. JDK only.
@NullMarked
package dev.vigil.protocol.identity;

import org.jspecify.annotations.NullMarked;
