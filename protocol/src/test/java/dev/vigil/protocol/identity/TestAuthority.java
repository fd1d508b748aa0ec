package dev.vigil.protocol.identity;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// A certificate authority for tests: the profile of the vault's CA, any life, any name.
public final class TestAuthority {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final KeyPair keys = CertificateRequest.newKeys();
    private final X509Certificate certificate;

    public TestAuthority() {
        certificate = sign(keys.getPublic(), "test CA", null, Duration.ofDays(1));
    }

    public X509Certificate certificate() {
        return certificate;
    }

    public String pin() {
        return Identity.pin(keys.getPublic());
    }

    /// An identity named by its SPIFFE text, valid from a second ago for that long; negative for an ended one.
    public Identity issue(String spiffe, Duration life) {
        KeyPair pair = CertificateRequest.newKeys();
        try {
            return new Identity(pair.getPrivate(), List.of(sign(pair.getPublic(), "leaf", spiffe, life), certificate));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    public Identity service(String name) {
        return issue("spiffe://vigil.local/service/" + name, Duration.ofHours(1));
    }

    /// A TLS context of that identity, which trusts this CA.
    public SSLContext tls(Identity identity, Peers expected) {
        return TlsContexts.of(() -> identity, List.of(certificate), expected);
    }

    /// A keeper-free way for tests to give a component its identity.
    public SSLContext serverTls(java.util.function.Supplier<Identity> identity, Peers expected) {
        return TlsContexts.of(identity, List.of(certificate), expected);
    }

    X509Certificate sign(
            PublicKey subject, String name, @org.jspecify.annotations.Nullable String spiffe, Duration life) {
        Instant now = Instant.now();
        Instant from = life.isNegative() ? now.plus(life.multipliedBy(2)) : now.minusSeconds(1);
        Instant until = now.plus(life);
        try {
            var builder = new JcaX509v3CertificateBuilder(
                    new X500Name("CN=test CA"),
                    new BigInteger(128, RANDOM),
                    Date.from(from),
                    Date.from(until),
                    new X500Name("CN=" + name),
                    subject);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(spiffe == null));
            if (spiffe == null) {
                builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            } else {
                builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
                builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                    KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_serverAuth
                }));
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(new GeneralName(GeneralName.uniformResourceIdentifier, spiffe)));
            }
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
        } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
            throw new IllegalStateException("the test CA cannot sign", e);
        }
    }
}
