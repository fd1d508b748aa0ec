package dev.vigil.cli.audit;

import dev.vigil.cli.exit.CommandFailure;
import dev.vigil.cli.exit.ExitCode;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.VerifierKey;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `vigil audit verify`.
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Recomputes the audit log from its entries to the signed root and compares everything that is stored.",
            "Needs the tiles and the public key; with --dir no network, and never the database."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:verified; what that rests on is printed",
            "1:a fault of this program",
            "2:wrong arguments",
            "3:the server did not answer",
            "4:the server refused the token",
            "5:a local file cannot be read or written",
            "6:there is no such event",
            "8:tampering; the first bad entry is named"
        })
final class VerifyCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private @Nullable Where where;

    @Option(
            names = "--key",
            required = true,
            paramLabel = "VKEY",
            description = "The log's public key, name+hash+key, from a source you trust.")
    private String key = "";

    @Option(
            names = "--event",
            paramLabel = "ID",
            description = "Verify one event (aud_…). With --url only that one, by its proof.")
    private @Nullable String event;

    @ArgGroup
    private @Nullable State state;

    /// A server or a folder.
    private static final class Where {
        @ArgGroup(exclusive = false)
        private @Nullable Server server;

        @Option(
                names = "--dir",
                paramLabel = "TILES",
                description = "Folder with checkpoint and tiles, as `vigil audit download` writes it.")
        private @Nullable Path folder;
    }

    /// Whether and where verified checkpoints are remembered.
    private static final class State {
        @Option(
                names = "--state",
                paramLabel = "DIR",
                description = "Where verified checkpoints are remembered. Default: ~/.config/vigil/audit.")
        private @Nullable Path folder;

        @Option(names = "--no-state", description = "Neither remember this checkpoint nor compare with earlier ones.")
        private boolean none;
    }

    VerifyCommand() {}

    @Override
    public Integer call() {
        VerifierKey verifier = VerifierKey.parse(key)
                .orElseThrow(() -> new CommandFailure(
                        ExitCode.USAGE, "--key is no verifier key; it looks like vigil.local/audit+1a2b3c4d+Aa0…="));
        if (event != null && Id.parse(Kind.AUDIT_EVENT, event).isEmpty()) {
            throw new CommandFailure(ExitCode.USAGE, "--event is no id of an audit event; it looks like aud_01k…");
        }
        return report(verdict(verifier, memory(verifier)));
    }

    private Verdict verdict(VerifierKey verifier, Memory memory) {
        Where from = Objects.requireNonNull(where);
        if (from.server == null) {
            return new LogVerifier(new LogFolder(Objects.requireNonNull(from.folder)), verifier, memory).verify(event);
        }
        LogServer server = from.server.open();
        return event == null
                ? new LogVerifier(server, verifier, memory).verify(null)
                : new EventVerifier(server, verifier, memory).verify(event);
    }

    private Memory memory(VerifierKey verifier) {
        if (state != null && state.none) {
            return Memory.none();
        }
        Path folder = state == null || state.folder == null ? Memory.defaultState() : state.folder;
        return Memory.open(folder, verifier);
    }

    private int report(Verdict verdict) {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        return switch (verdict) {
            case Verdict.Verified(Checkpoint checkpoint, List<String> held) -> {
                out.println("VERIFIED: audit log " + checkpoint.origin() + ", "
                        + checkpoint.head().size() + " entries");
                held.forEach(line -> out.println("  - " + line));
                yield ExitCode.OK;
            }
            case Verdict.Tampered(String what) -> {
                out.println("TAMPERING: " + what);
                yield ExitCode.TAMPERING;
            }
            case Verdict.Absent(String what) -> {
                out.println("NOT FOUND: " + what);
                yield ExitCode.NOT_FOUND;
            }
        };
    }
}
