package dev.vigil.api.vault;

import dev.vigil.api.web.Code;
import dev.vigil.api.web.ProblemException;
import java.io.IOException;
import java.io.StringReader;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Set;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;

/// A PKCS#10 request, of which only the key counts: the names and extensions that it asks for are ignored. Its
/// signature proves that the sender holds the private key.
///
/// @param key     P-256, P-384 or RSA of 2048 to 4096 bits
/// @param keyHash SHA-256 of its SubjectPublicKeyInfo
record CertificateRequest(PublicKey key, byte[] keyHash) {
    /// Longest request, in characters of PEM.
    static final int LENGTH_MAX = 8192;

    private static final Set<ASN1ObjectIdentifier> CURVES =
            Set.of(SECObjectIdentifiers.secp256r1, SECObjectIdentifiers.secp384r1);
    private static final Set<ASN1ObjectIdentifier> SIGNATURES = Set.of(
            X9ObjectIdentifiers.ecdsa_with_SHA256,
            X9ObjectIdentifiers.ecdsa_with_SHA384,
            X9ObjectIdentifiers.ecdsa_with_SHA512,
            PKCSObjectIdentifiers.sha256WithRSAEncryption,
            PKCSObjectIdentifiers.sha384WithRSAEncryption,
            PKCSObjectIdentifiers.sha512WithRSAEncryption);

    /// Reads a request and checks key and signature.
    ///
    /// @throws ProblemException 400 that says what is wrong with it
    static CertificateRequest read(String pem) {
        PKCS10CertificationRequest request = parse(pem);
        SubjectPublicKeyInfo info = request.getSubjectPublicKeyInfo();
        try {
            PublicKey key = strongKey(info);
            if (!SIGNATURES.contains(request.getSignatureAlgorithm().getAlgorithm())) {
                throw refused("is signed with a hash weaker than SHA-256");
            }
            if (!request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key))) {
                throw refused("is not signed by the key that it names");
            }
            return new CertificateRequest(key, hash(info.getEncoded()));
        } catch (GeneralSecurityException | OperatorCreationException | PKCSException | IOException _) {
            throw refused("holds a key or signature that cannot be read");
        }
    }

    /// SHA-256 of a public key's SubjectPublicKeyInfo.
    static byte[] hash(byte[] subjectPublicKeyInfo) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(subjectPublicKeyInfo);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }

    private static PKCS10CertificationRequest parse(String pem) {
        if (pem.length() > LENGTH_MAX) {
            throw refused("is longer than " + LENGTH_MAX + " characters");
        }
        try (var parser = new PEMParser(new StringReader(pem))) {
            if (parser.readObject() instanceof PKCS10CertificationRequest request) {
                return request;
            }
        } catch (IOException | RuntimeException _) {
            // Bouncy Castle throws many kinds for bad bytes; to the sender they are all one.
        }
        throw refused("is no PEM block CERTIFICATE REQUEST");
    }

    private static PublicKey strongKey(SubjectPublicKeyInfo info) throws GeneralSecurityException, IOException {
        ASN1ObjectIdentifier algorithm = info.getAlgorithm().getAlgorithm();
        var encoded = new X509EncodedKeySpec(info.getEncoded());
        if (algorithm.equals(X9ObjectIdentifiers.id_ecPublicKey)
                && info.getAlgorithm().getParameters() instanceof ASN1ObjectIdentifier curve
                && CURVES.contains(curve)) {
            return KeyFactory.getInstance("EC").generatePublic(encoded);
        }
        if (algorithm.equals(PKCSObjectIdentifiers.rsaEncryption)
                && KeyFactory.getInstance("RSA").generatePublic(encoded) instanceof RSAPublicKey key
                && key.getModulus().bitLength() >= 2048
                && key.getModulus().bitLength() <= 4096
                && key.getPublicExponent().bitLength() <= 32
                && key.getPublicExponent().testBit(0)
                && key.getPublicExponent().bitLength() > 1) {
            return key;
        }
        throw refused("holds a weak or unknown key; use P-256, P-384 or RSA of 2048 to 4096 bits");
    }

    private static ProblemException refused(String why) {
        return new ProblemException(Code.MALFORMED_REQUEST, "The certificate request " + why + ".");
    }
}
