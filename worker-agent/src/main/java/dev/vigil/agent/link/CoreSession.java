package dev.vigil.agent.link;

import dev.vigil.protocol.link.SessionTerms;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Instant;

/// A session that a core gave. Holds its secret and does not print it.
///
/// @param terms       what the keys are bound to
/// @param secret      32 bytes; the array is the session's own
/// @param endpoint    where the link is
/// @param expiresAt   end of the session
/// @param certificate the certificate that it was asked for with; the link must show the same
record CoreSession(
        SessionTerms terms, byte[] secret, InetSocketAddress endpoint, Instant expiresAt, X509Certificate certificate) {
    @Override
    public String toString() {
        return "CoreSession[" + Long.toUnsignedString(terms.session()) + " at " + endpoint + "]";
    }
}
