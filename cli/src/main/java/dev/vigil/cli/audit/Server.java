package dev.vigil.cli.audit;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that name a server and who asks.
final class Server {
    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "Vigil's URL, such as http://127.0.0.1:8080.",
            required = true)
    private String url = "";

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            description = "Access token of an admin or auditor. Default, and better where others work, since they can"
                    + " read arguments: the variable VIGIL_TOKEN.")
    private @Nullable String token;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Without a token: data folder of a running ./vigil dev, to sign in as its admin.")
    private @Nullable Path data;

    LogServer open() {
        return new LogServer(url, new Http(Token.find(url, token, data).orElse(null)));
    }
}
