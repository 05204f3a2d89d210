// As the library's own documentation has it: nothing is done here that a newcomer would not do.
const settings = JSON.parse(new URL(location.href).searchParams.get("settings") ?? sessionStorage.getItem("settings"));
sessionStorage.setItem("settings", JSON.stringify(settings));
const manager = new oidc.UserManager({
  ...settings,
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/bye`,
  loadUserInfo: true,
});
const show = (state, user) => {
  document.getElementById("state").textContent = state;
  document.getElementById("user").textContent = user ? JSON.stringify({
    profile: user.profile,
    access_token: user.access_token,
    refresh_token: user.refresh_token,
    id_token: user.id_token,
  }) : "";
};
const failed = (error) => show(`failed: ${error}`);

document.getElementById("sign-in").onclick = () => manager.signinRedirect().catch(failed);
document.getElementById("renew").onclick = () => manager.signinSilent().then((user) => show("renewed", user), failed);
document.getElementById("sign-out").onclick = () => manager.signoutRedirect().catch(failed);

if (location.pathname === "/callback") {
  manager.signinRedirectCallback().then((user) => show("signed in", user), failed);
} else if (location.pathname === "/bye") {
  manager.signoutRedirectCallback().then(() => show("signed out"), failed);
} else {
  show("nobody");
}
