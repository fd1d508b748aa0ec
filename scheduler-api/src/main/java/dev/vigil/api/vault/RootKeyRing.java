package dev.vigil.api.vault;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.stream.Stream;

/// Root keys as files beside each other: `root.key` is in force; while a rotation runs, `root.key.next` wraps and
/// `root.key` still unwraps; afterwards the new one is called `root.key` and the old one `root.key.retired-NAME`. What
/// lies there is the state: a crash at any point leaves a rotation that goes on. All nodes see the same folder.
final class RootKeyRing implements RootKeys {
    private final Path file;
    private final Path next;
    private final boolean create;

    private RootKeyRing(Path file, boolean create) {
        this.file = file;
        this.next = file.resolveSibling(file.getFileName() + ".next");
        this.create = create;
    }

    /// @param create whether missing files are made, with fresh keys
    static RootKeyRing open(Path file, boolean create) {
        RootKeyFile.open(file, create);
        return new RootKeyRing(file, create);
    }

    @Override
    public KeyWrapper current() {
        return RootKeyFile.open(isRotating() ? next : file, false);
    }

    @Override
    public Optional<KeyWrapper> named(String rootKey) {
        Path retired = retired(rootKey);
        // In this order a rotation that ends meanwhile hides none of them: a key moves to the right only.
        return Stream.of(next, file, retired)
                .filter(Files::exists)
                .<KeyWrapper>map(path -> RootKeyFile.open(path, false))
                .filter(key -> key.rootKey().equals(rootKey))
                .findFirst();
    }

    @Override
    public boolean isRotating() {
        return Files.exists(next);
    }

    @Override
    public KeyWrapper advance() {
        if (!isRotating() && !create) {
            throw new VaultException("there is no " + next + "; make it on all nodes with: (umask 077; head -c 32"
                    + " /dev/urandom > " + next + "), keep a copy elsewhere, and ask again");
        }
        KeyWrapper advanced = RootKeyFile.open(next, create);
        if (advanced.rootKey().equals(RootKeyFile.open(file, false).rootKey())) {
            throw new VaultException(next + " holds the root key that is in force; put another one there");
        }
        return advanced;
    }

    @Override
    public void retire() {
        if (!isRotating()) {
            return;
        }
        try {
            Files.createLink(retired(RootKeyFile.open(file, false).rootKey()), file);
        } catch (FileAlreadyExistsException _) {
            // An earlier try came as far as this.
        } catch (IOException e) {
            throw cannot(e);
        }
        try {
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw cannot(e);
        }
    }

    private UncheckedIOException cannot(IOException e) {
        return new UncheckedIOException(
                "the old root key cannot be set aside; rename " + file + " and then " + next + " to " + file
                        + " by hand, both keys are needed until then",
                e);
    }

    private Path retired(String rootKey) {
        return file.resolveSibling(file.getFileName() + ".retired-" + rootKey.substring(rootKey.indexOf(':') + 1));
    }

    @Override
    public String toString() {
        return "RootKeyRing[" + file + "]";
    }
}
