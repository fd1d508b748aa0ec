package dev.vigil.cli.audit;

import picocli.CommandLine.Command;

/// `vigil audit`: verify and download the audit log.
@Command(
        name = "audit",
        description = "Verifies the audit log without trusting whoever keeps it.",
        mixinStandardHelpOptions = true,
        subcommands = {VerifyCommand.class, DownloadCommand.class})
public final class AuditCommand {
    AuditCommand() {}
}
