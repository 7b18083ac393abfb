package import GateCore
import GateCrypto

/// What somebody fills in to get an account.
package struct RegistrationForm: Sendable {
    package var email: String
    package var password: Secret
    package var name: String?
    /// An organisation to be made with the account, whose owner the user becomes.
    package var organisationName: String?
    package var device: Device

    package init(email: String, password: Secret, name: String? = nil, organisationName: String? = nil, device: Device) {
        self.email = email
        self.password = password
        self.name = name
        self.organisationName = organisationName
        self.device = device
    }
}

extension Identity {
    /// Opens an account, its organisation where one is named, and a first session: all or nothing.
    ///
    /// - Throws: `.registrationClosed`, `.invalid` with all faults of all fields, `.emailTaken`, `.overloaded`; `StorageError`.
    package func register(_ form: RegistrationForm) async throws -> SignIn {
        guard rules.registration == .open else { throw IdentityError.registrationClosed }
        var account = try newAccount(
            email: form.email, password: form.password, name: form.name, organisationName: form.organisationName)
        let hash = try await hashing { () async throws(PasswordHashingError) in try await passwords.hash(form.password) }
        let now = time.now()
        account.user.createdAt = now
        account.user.updatedAt = now
        let session = newSession(of: account.user.id, device: form.device, at: now)
        guard
            try await users.insert(account.user, passwordHash: hash, organisation: account.organisation, session: session)
        else { throw IdentityError.emailTaken }
        return try tokens(for: session, of: account.profile, generation: session.refreshGeneration, at: now)
    }
}

/// A user that is not stored yet, with the organisation that is stored with it.
struct NewAccount {
    var user: User
    var organisation: Organisation?

    var profile: UserProfile {
        UserProfile(user: user, memberships: organisation.map { [Membership(organisation: $0, role: .owner)] } ?? [])
    }
}

extension Identity {
    /// - Throws: `.invalid` with all faults of all fields.
    func newAccount(
        email: String, password: Secret?, name: String?, organisationName: String?
    ) throws(IdentityError) -> NewAccount {
        var faults: [FieldFault] = []
        let address = EmailAddress(email)
        if address == nil {
            faults.append(FieldFault(field: "email", code: "invalid_email", message: "This is not an e-mail address."))
        }
        if let password { faults += rules.password.faults(of: password, field: "password", email: address, name: name) }
        let name = ProfileFields.name(name, field: "name", faults: &faults)
        let organisationName = ProfileFields.name(organisationName, field: "org_name", faults: &faults)
        guard let address, faults.isEmpty else { throw .invalid(faults) }
        let now = time.now()
        return NewAccount(
            user: User(id: User.ID(at: now, entropy: entropy), email: address, name: name, createdAt: now, updatedAt: now),
            organisation: organisationName.map {
                Organisation(id: Organisation.ID(at: now, entropy: entropy), name: $0, createdAt: now)
            })
    }
}
