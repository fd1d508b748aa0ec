package dev.vigil.protocol.tree;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.Signature;
import java.util.List;

/// Signs notes with an Ed25519 key (C2SP signed-note). Safe for use by several threads. Does not print its key.
public final class NoteSigner {
    private final VerifierKey verifier;
    private final PrivateKey key;

    /// A signer with that name.
    ///
    /// @param name the key's name; for a log its origin
    /// @param pair an Ed25519 key pair
    public NoteSigner(String name, KeyPair pair) {
        this.verifier = VerifierKey.of(name, pair.getPublic());
        this.key = pair.getPrivate();
        String probe = "both halves belong together\n";
        if (!verifier.verifies(probe, rawSignature(probe))) {
            throw new IllegalArgumentException("the private key of \"" + name + "\" does not belong to its public key");
        }
    }

    /// The public half.
    public VerifierKey verifier() {
        return verifier;
    }

    /// The text with this key's signature.
    ///
    /// @param text ends with a newline
    public SignedNote sign(String text) {
        return new SignedNote(
                text, List.of(new SignedNote.NoteSignature(verifier.name(), verifier.id(), rawSignature(text))));
    }

    @Override
    public String toString() {
        return "NoteSigner[" + verifier.name() + "]";
    }

    private byte[] rawSignature(String text) {
        try {
            var ed25519 = Signature.getInstance("Ed25519");
            ed25519.initSign(key);
            ed25519.update(text.getBytes(StandardCharsets.UTF_8));
            return ed25519.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("the private key of \"" + verifier.name() + "\" is no Ed25519 key", e);
        }
    }
}
