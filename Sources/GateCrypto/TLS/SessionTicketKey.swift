import GateCore

/// What session tickets are sealed with: AES-256-CBC and HMAC-SHA-256 (RFC 5077 §4).
struct SessionTicketKey: Sendable {
    static let nameSize = 16

    let name: [UInt8]
    let cipherKey: Secret
    let authenticationKey: Secret
    let createdAt: MonotonicInstant

    init(_ entropy: any Entropy, at now: MonotonicInstant) {
        name = entropy.bytes(Self.nameSize)
        cipherKey = Secret(entropy.bytes(32))
        authenticationKey = Secret(entropy.bytes(32))
        createdAt = now
    }
}

/// The keys of session tickets by age: the newest seals; the older ones still open what they sealed, as long as that is good.
struct SessionTicketKeyRing: Sendable {
    /// How long a key seals.
    let rotation: Duration
    /// How long a ticket is good.
    let lifetime: Duration
    private(set) var keys: [SessionTicketKey] = []

    init(rotation: Duration, lifetime: Duration) {
        self.rotation = rotation
        self.lifetime = lifetime
    }

    /// The key to seal with. Makes one by `make` where there is none or the newest is too old, and forgets those whose tickets are over.
    mutating func sealing(at now: MonotonicInstant, make: () -> SessionTicketKey) -> SessionTicketKey {
        if let newest = keys.first, now < newest.createdAt + rotation { return newest }
        let made = make()
        keys = [made] + keys.filter { isAccepted($0, at: now) }
        return made
    }

    /// The key of that name, and whether it is still the one to seal with.
    func opening(_ name: UnsafeRawBufferPointer, at now: MonotonicInstant) -> (key: SessionTicketKey, isCurrent: Bool)? {
        for (place, key) in keys.enumerated() where isAccepted(key, at: now) && name.elementsEqual(key.name) {
            return (key, place == 0 && now < key.createdAt + rotation)
        }
        return nil
    }

    private func isAccepted(_ key: SessionTicketKey, at now: MonotonicInstant) -> Bool {
        now < key.createdAt + (rotation + lifetime)
    }
}
