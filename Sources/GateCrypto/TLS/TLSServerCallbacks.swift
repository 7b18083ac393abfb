import COpenSSL

/// What libssl asks a server during a handshake. Each answer is the engine's, which the connection's SSL refers to.
enum TLSServerCallbacks {
    static func install(in context: OpaquePointer) {
        // Before anything else is decided: the certificate must be known before a session is resumed, since it belongs to one name.
        SSL_CTX_set_client_hello_cb(
            context,
            { ssl, alert, _ in
                guard let ssl, let alert else { return SSL_CLIENT_HELLO_ERROR }
                switch TLSEngine.with(ssl, { $0.chooseIdentity(ssl) }) {
                case .chosen: return SSL_CLIENT_HELLO_SUCCESS
                case .searching: return SSL_CLIENT_HELLO_RETRY
                case .none:
                    alert.pointee = SSL_AD_UNRECOGNIZED_NAME
                    return SSL_CLIENT_HELLO_ERROR
                }
            }, nil)
        // Only so that the name is acknowledged (RFC 6066 §3).
        gate_ssl_ctx_set_name_callback(context) { _, _, _ in SSL_TLSEXT_ERR_OK }
        SSL_CTX_set_alpn_select_cb(
            context,
            { ssl, chosen, chosenCount, offered, offeredCount, _ in
                guard let ssl, let chosen, let chosenCount else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let offered = UnsafeBufferPointer(start: offered, count: Int(offeredCount))
                guard let place = TLSEngine.with(ssl, { $0.chooseProtocol(among: offered) }) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen.pointee = place.baseAddress
                chosenCount.pointee = UInt8(place.count)
                return SSL_TLSEXT_ERR_OK
            }, nil)
        gate_ssl_ctx_set_ticket_callback(context) { ssl, name, vector, cipher, mac, seals in
            guard let ssl, let name, let vector, let cipher, let mac else { return -1 }
            return TLSEngine.with(ssl) { engine in
                engine.server?.tickets.prepare(
                    name, vector, cipher, mac, seals: seals == 1, renews: SSL_version(ssl) == TLS1_3_VERSION,
                    in: engine.library) ?? -1
            }
        }
        SSL_CTX_set_timeout(context, Int(SessionTickets.lifetime.components.seconds))
        // One is what a client uses at a time; OpenSSL would send two.
        SSL_CTX_set_num_tickets(context, 1)
    }
}

/// What a ClientHello asks for, as far as it decides which certificate answers.
package struct TLSClientHello: Sendable {
    /// In lower case; `nil` where the client names nobody, or nobody who can be meant.
    package var serverName: String?
    /// It is the server of an ACME authority that wants to see a challenge (RFC 8737 §3): it offers `acme-tls/1` and nothing else.
    package var wantsChallenge: Bool

    package init(serverName: String?, wantsChallenge: Bool) {
        self.serverName = serverName
        self.wantsChallenge = wantsChallenge
    }
}

extension TLSClientHello {
    /// To be called within the ClientHello callback.
    init(_ ssl: OpaquePointer) {
        serverName = Self.serverName(Self.field(ssl, UInt32(TLSEXT_TYPE_server_name)))
        let offered = Self.field(ssl, UInt32(TLSEXT_TYPE_application_layer_protocol_negotiation))
        let challenge = TLSHandshake.challengeProtocol.utf8
        wantsChallenge =
            offered.count == challenge.count + 3 && Int(offered[2]) == challenge.count && offered.dropFirst(3).elementsEqual(challenge)
    }

    private static func field(_ ssl: OpaquePointer, _ type: UInt32) -> UnsafeBufferPointer<UInt8> {
        var start: UnsafePointer<UInt8>?
        var count = 0
        guard SSL_client_hello_get0_ext(ssl, type, &start, &count) == 1 else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: start, count: count)
    }

    /// The list has one entry in practice, of the type `host_name`: libssl refuses every other list later (RFC 6066 §3).
    private static func serverName(_ list: UnsafeBufferPointer<UInt8>) -> String? {
        guard list.count > 5, list[2] == 0, Int(list[3]) << 8 | Int(list[4]) == list.count - 5, list.count - 5 <= 255 else { return nil }
        let name = UnsafeBufferPointer(rebasing: list[5...])
        for octet in name where octet <= 0x20 || octet >= 0x7F { return nil }
        return String(unsafeUninitializedCapacity: name.count) { target in
            for (place, octet) in name.enumerated() { target[place] = octet >= 0x41 && octet <= 0x5A ? octet | 0x20 : octet }
            return name.count
        }
    }
}
