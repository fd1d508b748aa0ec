package dev.vigil.protocol.identity;

import javax.net.ssl.SSLContext;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/// What a server socket shows and whom it trusts, as a context and, for servers that ask for them, in its parts.
///
/// @param context TLS 1.3
/// @param keys    the newest certificate and its key
/// @param trust   whom it lets in
public record ServerTls(SSLContext context, X509KeyManager keys, X509TrustManager trust) {
    @Override
    public String toString() {
        return "ServerTls[hidden]";
    }
}
