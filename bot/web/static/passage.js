// Bring the cited passage into view when the page did not ask for another place.
if (!location.hash) document.getElementById("passage")?.scrollIntoView({ block: "center" });
