try{let e=localStorage.getItem("millrace-theme");(e==="dark"||e==="light")&&(document.documentElement.dataset.theme=e)}catch{}
