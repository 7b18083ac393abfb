package import GateIdentity

/// Who may pass.
package enum AccessRule: Hashable, Sendable {
    /// Everyone; who it is, is not looked at.
    case everyone
    /// Everyone; who is signed in is told to what lies behind.
    case optional
    /// Whoever is signed in.
    case signedIn
    /// Whoever has this role, or one that may do all that it may, in the organisation that the session is for.
    case role(String)
    /// Members of this organisation.
    case organisation(Organisation.ID)
}
