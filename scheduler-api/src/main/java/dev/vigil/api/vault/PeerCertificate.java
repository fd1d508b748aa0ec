package dev.vigil.api.vault;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.SpiffeId;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.UUID;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;

/// What a certificate of ours says about its holder. Who he is says the URI name alone; the subject leads to the
/// registry's row and counts the renewals.
///
/// @param row        the registry's row
/// @param generation counts the renewals
/// @param holder     the worker or service
/// @param keyHash    SHA-256 of its public key
record PeerCertificate(UUID row, int generation, SpiffeId holder, byte[] keyHash) {
    /// Reads a certificate that the connection has verified.
    ///
    /// @return empty when it is not one that the registry could have issued
    static Optional<PeerCertificate> of(X509Certificate certificate, String domain) {
        X500Name subject =
                X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
        Optional<UUID> row = only(subject, BCStyle.CN)
                .flatMap(name -> Id.parse(Kind.WORKER, name))
                .map(Id::uuid);
        Optional<Integer> generation = only(subject, BCStyle.SERIALNUMBER)
                .filter(text -> text.matches("[1-9][0-9]{0,8}"))
                .map(Integer::valueOf);
        Optional<SpiffeId> holder =
                SpiffeId.of(certificate).filter(id -> id.domain().equals(domain));
        if (row.isEmpty() || generation.isEmpty() || holder.isEmpty()) {
            return Optional.empty();
        }
        byte[] keyHash = CertificateRequest.hash(certificate.getPublicKey().getEncoded());
        return Optional.of(new PeerCertificate(row.get(), generation.get(), holder.get(), keyHash));
    }

    private static Optional<String> only(X500Name subject, ASN1ObjectIdentifier attribute) {
        RDN[] values = subject.getRDNs(attribute);
        return values.length == 1
                ? Optional.of(IETFUtils.valueToString(values[0].getFirst().getValue()))
                : Optional.empty();
    }
}
