package dev.vigil.protocol.identity;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// PEM text (RFC 7468): keys and certificates.
final class Pem {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z ]{1,40})-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private Pem() {}

    static String write(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n" + LINES.encodeToString(der) + "\n-----END " + label + "-----\n";
    }

    static String write(KeyPair keys) {
        return write("PRIVATE KEY", keys.getPrivate().getEncoded())
                + write("PUBLIC KEY", keys.getPublic().getEncoded());
    }

    static String write(List<X509Certificate> chain) throws GeneralSecurityException {
        var text = new StringBuilder();
        for (X509Certificate certificate : chain) {
            text.append(write("CERTIFICATE", certificate.getEncoded()));
        }
        return text.toString();
    }

    static KeyPair keys(String pem) throws GeneralSecurityException {
        return new KeyPair(
                KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(one(pem, "PUBLIC KEY"))),
                privateKey(pem));
    }

    static PrivateKey privateKey(String pem) throws GeneralSecurityException {
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(one(pem, "PRIVATE KEY")));
    }

    static List<X509Certificate> certificates(String pem) throws GeneralSecurityException {
        var factory = CertificateFactory.getInstance("X.509");
        var chain = new ArrayList<X509Certificate>();
        for (byte[] der : blocks(pem, "CERTIFICATE")) {
            chain.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der)));
        }
        return chain;
    }

    private static byte[] one(String pem, String label) throws GeneralSecurityException {
        List<byte[]> blocks = blocks(pem, label);
        if (blocks.size() != 1) {
            throw new GeneralSecurityException("expected one PEM block " + label + ", found " + blocks.size());
        }
        return blocks.getFirst();
    }

    private static List<byte[]> blocks(String pem, String label) throws GeneralSecurityException {
        var found = new ArrayList<byte[]>();
        Matcher block = BLOCK.matcher(pem);
        while (block.find()) {
            if (block.group(1).equals(label)) {
                try {
                    found.add(Base64.getMimeDecoder().decode(block.group(2).getBytes(StandardCharsets.US_ASCII)));
                } catch (IllegalArgumentException e) {
                    throw new GeneralSecurityException("PEM block " + label + " is not base64", e);
                }
            }
        }
        return found;
    }
}
